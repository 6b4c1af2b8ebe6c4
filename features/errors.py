"""Errors that a user can mend: shown without a traceback, each with a fixed exit code.

::

    UserError                 1   failed, nothing published
    ├── ConfigError           2   usage or configuration
    ├── InputError            1   a file or table that cannot be read as it is
    ├── TooLittleData         1   nothing honest can be learned from so few outcomes
    ├── AuditRefused         10   the run does not balance or moved too far; nothing published
    ├── LockHeld             11   another program holds the store
    ├── ReleaseRefused       12   a release that is not what was reviewed, or a frame it was not made for
    ├── RegistryUnreachable   1   MLflow does not answer (the nightly job goes on with its local copy)
    ├── StoreFailed           1   the store could not carry out a statement (full disk, no right, deadlock)
    └── StoreUnreachable     13   the lead store cannot be opened
        └── StoreLost        13   the connection broke; what was committed stays

Every message says what was expected, what was found, where, and what to do next. Anything else that is
raised is a bug and keeps its traceback.
"""

from typing import ClassVar


class UserError(Exception):
    """Something a user can mend; the message says how."""

    exit_code: ClassVar[int] = 1


class ConfigError(UserError):
    """A setting or an argument is wrong."""

    exit_code = 2


class InputError(UserError):
    """A file or a table cannot be read as it is."""


class TooLittleData(UserError):
    """Too few outcomes to learn anything that could be trusted."""


class AuditRefused(UserError):
    """The run's own checks failed; nothing was published."""

    exit_code = 10


class LockHeld(UserError):
    """Another program holds the store."""

    exit_code = 11


class ReleaseRefused(UserError):
    """The release is not what was registered, or the data are not what it was made for."""

    exit_code = 12


class RegistryUnreachable(UserError):
    """The model registry does not answer."""


class StoreFailed(UserError):
    """The store could not carry out a statement; what it was part of was not stored."""


class StoreUnreachable(UserError):
    """The lead store cannot be opened."""

    exit_code = 13


class StoreLost(StoreUnreachable):
    """The connection broke. Whether a commit under way came through must be looked up, never guessed."""
