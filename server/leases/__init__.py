"""Several processes of one center on one database: which of them owns which rooms, and how they answer as one."""
