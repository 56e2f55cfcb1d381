"""What survives: applications, calls and what is still to be told, in SQLite or PostgreSQL, behind one writer."""
