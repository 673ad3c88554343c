"""Whether the store refuses what it was given, or refuses whatever it is given: only the first is worth parting."""

from __future__ import annotations

from sqlalchemy.exc import DataError, IntegrityError

from sync.errors import StorageError


def is_of_content(error: Exception) -> bool:
    """Whether something else may be stored although this was not. A full disk, a lock or a database that is away
    refuses everything; a value that breaks a rule, and what nobody foresaw, is of what was to be stored."""
    return not isinstance(error, StorageError) or isinstance(error.__cause__, IntegrityError | DataError)
