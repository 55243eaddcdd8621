"""Why a build or an installation ended, for those causes that a person meets first: what it is, and what to do."""

import re

# The first that fits the end of what a job said. More than one can: a full disk also breaks a download.
CAUSES = [
    (r"No space left on device|os error 28", "the disk is full: make room (make clean gives back what was built), then run it again"),
    (r"requires rustc [\d.]+ or newer|is not supported by the following package|rustc [\d.]+ is not supported",
     "Rust is too old: rustup update stable"),
    (r"linker `\S+` not found|could not find system library|ld: command not found",
     "there is no C linker: Debian, Ubuntu: apt install gcc libc6-dev; Fedora: dnf install gcc; macOS: xcode-select --install"),
    (r"cannot make virtual environments", "Debian, Ubuntu: apt install python3-venv"),
    (r"failed to (download|get|fetch|query)|Could not resolve|Couldn't connect|spurious network error|download of .* failed"
     r"|Failed to establish a new connection|ProxyError|Temporary failure in name resolution|Read timed out|Max retries exceeded",
     "what is missing cannot be downloaded: connect; behind a proxy set HTTPS_PROXY; with a mirror of your own configure it in "
     "cargo's config.toml and in pip.conf"),
    (r"No matching distribution found|Could not find a version",
     "pip's index does not have this package: see that it reaches pypi.org, or a whole mirror of it"),
    (r"Permission denied|os error 13", "a file may not be written: was an earlier run another user's (sudo)? Make it yours again"),
]


def cause(said):
    """What to do about the end of a job's output, or None where the output must speak for itself."""
    text = "\n".join(said)
    return next((advice for pattern, advice in CAUSES if re.search(pattern, text)), None)
