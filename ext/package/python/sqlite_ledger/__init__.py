"""The SQLite module for Azure Confidential Ledger.

    db = sqlite3.connect("local.db")
    db.enable_load_extension(True)
    sqlite_ledger.load(db)
    db.enable_load_extension(False)
"""

import os

_here = os.path.dirname(os.path.abspath(__file__))


def loadable_path():
    """The module's path, without the suffix, as SQLite takes it."""
    return os.path.join(_here, "ledger")


def script(name):
    """The path of a script in SQL: script("audit") is that of audit.sql."""
    return os.path.join(_here, "sql", name + ".sql")


def load(db):
    """Loads the module into a connection that may load extensions."""
    if not hasattr(db, "load_extension"):
        raise RuntimeError(
            "this Python's sqlite3 was built without loadable extensions: "
            "use the system's Python"
        )
    db.load_extension(loadable_path())
