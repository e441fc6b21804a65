"""Program: tell the guard about this process group, then become the real child.

`python -I -S child_entry.py PIPE WORD ARGV…`; the standard library only, so that it costs
milliseconds. Started by `tandem.installation.children` in a process group of its own.

From the fork until the line is written this process holds a write end of the guard's pipe. The
guard therefore cannot see the end of the pipe before it has read the line: however early the
supervisor is killed, there is no child that the guard does not know of.
"""

import os
import signal
import sys


def main(arguments: list[str]) -> None:
    pipe, word, *argv = arguments
    os.write(int(pipe), f"+{os.getpid()} {word}\n".encode())
    # The real child must not hold it: the end of the pipe means that the supervisor is gone.
    os.close(int(pipe))
    # Python ignores these for itself, and what is ignored stays so in the next program.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)  # noqa: S606  # the supervisor's own list, no shell
    except OSError as error:
        sys.exit(f"tandem: {argv[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
