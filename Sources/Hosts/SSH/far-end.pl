# The far end of a connection: carries out requests, one after the other, on the machine that we are logged in to. It
# needs perl-base alone, which is on every Debian and Ubuntu. FarEnd.swift starts it, and has given us $mark,
# which nobody else knows, and take(N), which reads N bytes, and ends us where no more come.
#
# Every answer ends, on both streams, with $mark and one line: S and the exit status of a command, E and an errno.
use strict;
use Fcntl;
use IO::Handle;

our $mark;
my $temporary;
# How many bytes of the request have not been read.
my $unread = 0;
$SIG{PIPE} = 'IGNORE';

sub answer { syswrite $_, "$mark$_[0]\n" for \*STDOUT, \*STDERR }

sub fail {
    my $code = $! + 0;
    unlink $temporary if defined $temporary;
    answer("E$code");
    # What is left of this request would be taken for the next one.
    exit 0 if $unread;
    die "failed\n";
}

sub opened {
    my ($path, $flags, $mode) = @_;
    sysopen(my $file, $path, $flags, $mode // 0) or fail;
    return $file;
}

sub synchronize { $_[0]->sync or fail }

sub folder_above { $_[0] =~ m{^(.*?)/+[^/]*/*$} && length $1 ? $1 : '/' }

sub synchronize_above { synchronize(opened(folder_above($_[0]), O_RDONLY | O_DIRECTORY)) }

sub make_missing {
    my $folder = shift;
    return if stat $folder;
    make_missing(folder_above($folder));
    if (mkdir $folder, 0755) { chmod 0755, $folder; synchronize_above($folder) }
    elsif (!$!{EEXIST}) { fail }
}

sub put {
    my ($bytes, $to) = (@_, \*STDOUT);
    # A child that ends interrupts a write that waits.
    while (length $bytes) { substr $bytes, 0, syswrite($to, $bytes) // ($!{EINTR} ? 0 : exit), '' }
}

# Bytes of one handle to another until the first has no more; false where the second takes no more.
sub pass {
    my ($from, $to) = @_;
    while (sysread $from, my $piece, 1 << 17) {
        for (my $at = 0; $at < length $piece;) { $at += syswrite($to, $piece, length $piece, $at) // return 0 }
    }
    return 1;
}

# A piece of what there is now: how many bytes; 0 at the end, undefined where there is nothing now.
sub pass_on {
    my ($from, $to) = @_;
    my $got = sysread $from, my $piece, 1 << 17;
    put($piece, $to) if $got;
    return $got;
}

# Runs a command in a process group of its own. Its input comes in frames, a length and so many bytes; an empty frame
# ends it. The end of the stream itself means that nobody waits for the command any more, and the group is ended. What it
# prints comes by way of us: whatever it leaves behind has no hold on our streams.
sub run {
    my ($count, @words) = @_;
    my %environment = map { split /=/, $_, 2 } splice @words, 0, $count;
    $unread = 1;
    pipe(my $input, my $to) && pipe(my $output, my $its_output) && pipe(my $errors, my $its_errors)
        && pipe(my $news, my $from_child) or fail;
    my $child = fork // fail;
    if (!$child) {
        setpgrp;
        open STDIN, '<&', $input;
        open STDOUT, '>&', $its_output;
        open STDERR, '>&', $its_errors;
        $SIG{PIPE} = 'DEFAULT';
        %ENV = (HOME => (getpwuid $>)[7], %environment);
        exec { $words[0] } @words;
        syswrite $from_child, $! + 0;
        kill KILL => $$;
    }
    close $_ for $input, $its_output, $its_errors, $from_child;
    # The pipe is closed by a successful exec.
    if (sysread $news, my $code, 9) { waitpid $child, 0; $! = $code; fail }
    $_->blocking(0) for $to, $output, $errors;
    my @prints = ([$output, \*STDOUT], [$errors, \*STDERR]);
    local $SIG{CHLD} = sub { };
    my ($frames, $bytes, $gone) = ('', '', 0);
    until (waitpid $child, 1) {
        if ($gone) {
            kill KILL => -$child if $gone++ == 20;
            select undef, undef, undef, 0.1;
            next;
        }
        if ($bytes eq '' && length $frames >= 4 && length $frames >= 4 + (my $size = unpack 'N', $frames)) {
            substr $frames, 0, 4, '';
            $bytes = substr $frames, 0, $size, '';
            ($to, $unread) = (undef, 0) if !$size;
            # It takes no more.
            $bytes = '' if !$to;
            next;
        }
        my ($readable, $writable) = ('', '');
        vec($readable, 0, 1) = 1 if $bytes eq '';
        vec($writable, fileno $to, 1) = 1 if $bytes ne '';
        vec($readable, fileno $_->[0], 1) = 1 for @prints;
        # A child that ends interrupts this, but for the moment before it begins.
        next if select($readable, $writable, undef, 0.05) <= 0;
        if (vec $readable, 0, 1) {
            my $got = sysread STDIN, $frames, 1 << 17, length $frames;
            if (defined $got && !$got) { $gone = 1; kill TERM => -$child }
        }
        @prints = grep { !vec($readable, fileno $_->[0], 1) || (pass_on(@$_) // 1) } @prints;
        if ($bytes ne '' && vec $writable, fileno $to, 1) {
            my $put = syswrite $to, $bytes;
            if (defined $put) { substr $bytes, 0, $put, '' }
            elsif ($!{EPIPE}) { ($to, $bytes) = (undef, '') }
        }
    }
    my $status = $?;
    for (@prints) { 1 while pass_on(@$_) }
    answer('S' . ($status & 127 ? 128 + ($status & 127) : $status >> 8));
    # The rest of its input: nothing behind that is there before our answer is.
    while ($unread) {
        $frames .= take(4 - length $frames) if length $frames < 4;
        my $size = unpack 'N', substr $frames, 0, 4, '';
        take($size - length $frames) if length $frames < $size;
        substr $frames, 0, $size, '';
        $unread = 0 if !$size;
    }
    die "answered\n";
}

sub read_file {
    my ($path, $largest) = @_;
    # Without O_NONBLOCK, a pipe somebody put there would hold us for ever.
    my $file = opened($path, O_RDONLY | O_NONBLOCK);
    my $all = 0;
    while (my $got = sysread($file, my $piece, 1 << 17) // fail) {
        if (($all += $got) > $largest) { $! = 27; fail }
        put($piece);
    }
}

sub state_of {
    my $path = shift;
    my @found = lstat $path or fail;
    put(join "\0", @found[2, 7, 4, 5], readlink($path) // '');
}

sub list {
    opendir my $folder, $_[0] or fail;
    put(join "\0", grep { $_ ne '.' && $_ ne '..' } readdir $folder);
}

# Writes beside the old file and renames over it: LocalTransport+Files.swift says why in this order.
sub write_file {
    (my $path, $unread, my ($mode, $user, $group)) = @_;
    my $folder = folder_above($path);
    make_missing($folder);
    $temporary = sprintf '%s/.jhub-%s', $folder, substr $mark, 0, 13;
    my $new = opened($temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    while ($unread) {
        my $got = sysread STDIN, my $piece, $unread < 1 << 17 ? $unread : 1 << 17;
        # Half a file is none.
        if (!$got) { $! = 104; fail }
        $unread -= $got;
        (syswrite($new, $piece) // fail) == $got or fail;
    }
    chown($user, $group, $new) && chmod($mode, $new) && $new->sync && rename($temporary, $path) or fail;
    synchronize_above($path);
}

sub make {
    my ($path, $mode, $user, $group) = @_;
    make_missing(folder_above($path));
    # Nobody gets in before owner and mode are right.
    if (mkdir $path, 0700) { synchronize_above($path) }
    elsif (!$!{EEXIST}) { fail }
    my $made = opened($path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    chown($user, $group, $made) && chmod($mode, $made) or fail;
    synchronize($made);
}

sub remove {
    my $path = shift;
    unlink $path or $!{EISDIR} && rmdir $path or $!{ENOENT} or fail;
    synchronize_above($path) if -d folder_above($path);
}

# A connection to a socket of this machine; from the line on, what comes and goes is the connection's.
sub relay {
    require Socket;
    socket my $socket, Socket::AF_UNIX(), Socket::SOCK_STREAM(), 0 or fail;
    connect $socket, Socket::pack_sockaddr_un($_[0]) or fail;
    syswrite STDOUT, "${mark}S0\n";
    my $child = fork // fail;
    if (!$child) { pass($socket, \*STDOUT); exit 0 }
    close STDOUT;
    close STDERR;
    pass(\*STDIN, $socket);
    shutdown $socket, 1;
    waitpid $child, 0;
    exit 0;
}

sub dial {
    my ($address, $port, $limit) = @_;
    require IO::Socket::IP;
    IO::Socket::IP->new(PeerHost => $address, PeerPort => $port, Timeout => $limit) or fail;
}

# To connect, log in and read all this takes longer than most of what is asked for: so there is always another request.
while (1) {
    my ($verb, @words) = split /\0/, take(take(8)), -1;
    umask 022;
    chdir '/';
    ($temporary, $unread) = (undef, 0);
    no strict 'refs';
    if (eval { &{$verb}(@words); 1 }) { answer('S0') }
    elsif ($@ !~ /^(failed|answered)$/) { die }
}
