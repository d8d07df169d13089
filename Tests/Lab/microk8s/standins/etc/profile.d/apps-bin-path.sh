# shellcheck shell=sh
# Login shells find snap's commands; a command given to ssh, and sudo on Debian, do not.
case ":$PATH:" in
*:/snap/bin:*) ;;
*) PATH="$PATH:/snap/bin" ;;
esac
export PATH
