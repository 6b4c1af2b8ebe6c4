"""Where a lead store is: a DuckDB file's path, or PostgreSQL's address, with a password in it that nobody must see."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from features.errors import ConfigError

POSTGRES: Final = ("postgresql", "postgres")


@dataclass(frozen=True)
class StoreUrl:
    """A store's address: what to connect with, and what to show."""

    url: str
    engine: str
    """duckdb or postgres."""
    shown: str
    """The address without its password and options."""


def parsed(url: str) -> StoreUrl:
    """Read a store's address; nothing of one that cannot be read is ever repeated, for a password may be in it.

    Raises
    ------
    ConfigError
        It is neither a path nor an address of PostgreSQL's.

    Examples
    --------
    >>> parsed("leads.duckdb").engine
    'duckdb'
    >>> parsed("postgresql://job:s3cret@db.example/leads?sslmode=require").shown
    'postgresql://job@db.example/leads'
    """
    scheme, mark, _ = url.partition("://")
    if not mark:
        return StoreUrl(url, "duckdb", url)
    if scheme not in POSTGRES:
        raise ConfigError(
            f"The store is a DuckDB file or a PostgreSQL database; found a {scheme}:// address. Give the path of a "
            "file or postgresql://USER@HOST/DATABASE with --store or LEADSCORE_STORE, for example leads.duckdb."
        )
    try:
        split = urlsplit(url)
        host, port, user = split.hostname or "", split.port, split.username
    except ValueError:
        split = None
    # A second @, or a slash or a question mark in the password, moves the borders: refused before a piece of it shows.
    if split is None or split.netloc.count("@") > 1 or "@" in split.path or any(c.isspace() for c in url):
        raise ConfigError(
            "The store's address cannot be read as postgresql://USER:PASSWORD@HOST:PORT/DATABASE. Write @ : / ? # and "
            "% in a password as %40 %3A %2F %3F %23 and %25. The address is not shown here, for a password may be in "
            "it."
        )
    if not split.path.strip("/"):
        raise ConfigError("The store's address names no database: postgresql://USER@HOST/DATABASE.")
    shown = f"postgresql://{user + '@' if user else ''}{host}{f':{port}' if port else ''}{split.path}"
    return StoreUrl(url, "postgres", shown)
