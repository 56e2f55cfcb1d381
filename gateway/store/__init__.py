"""What survives: applications, calls and what is still to be told, in SQLite or PostgreSQL, behind one writer.

`open_store` gives the Protocols of `gateway.switch.stores` a database:

- `database`, `schema`, `migrations`, `tables`: a database of either kind, and how it comes to have our tables
- `rows`: records as rows; `changes`: what the switch writes, as values
- `writer`, `journal`: group commit, and what takes over when the database does not answer
- `directory`, `callbook`, `mailbox`, `administration`, `reports`: one for each Protocol
- `vault`, `sealing`: a key, and which columns nobody can read without it
- `seeding`: what the configuration file says, taken over once and compared ever after
"""

from gateway.store.directory import Snapshot
from gateway.store.seeding import Difference, differences
from gateway.store.store import Store, key_file, open_store, peek

__all__ = ["Difference", "Snapshot", "Store", "differences", "key_file", "open_store", "peek"]
