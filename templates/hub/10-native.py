"""The first admin gets in: NativeAuthenticator knows nobody at first, and sign-up is closed.

The password comes from a Secret that is mounted; it is used only where the admin has no account yet.
"""

import os
from pathlib import Path

from z2jh import get_config

if get_config("custom.jhub.native"):
    import bcrypt
    import nativeauthenticator
    from nativeauthenticator import NativeAuthenticator
    from nativeauthenticator.orm import UserInfo

    PASSWORD = Path("/run/jhub-admin/password")

    class FirstAdminAuthenticator(NativeAuthenticator):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            password = PASSWORD.read_bytes().strip()
            for name in get_config("custom.jhub.admins")[:1]:
                if UserInfo.find(self.db, name) is None:
                    hashed = bcrypt.hashpw(password, bcrypt.gensalt())
                    self.db.add(UserInfo(username=name, password=hashed, is_authorized=True))
                    self.db.commit()

        def get_authed_users(self):
            # Who signs up under a name of these is let in at once. Anybody may be the first to do so under another
            # admin's name, so nobody is: an admin who is in authorises the others.
            return set()

    c.JupyterHub.authenticator_class = FirstAdminAuthenticator  # noqa: F821
    # The links to sign-up, change of password and authorisation.
    c.JupyterHub.template_paths = [os.path.join(os.path.dirname(nativeauthenticator.__file__), "templates")]  # noqa: F821
