"""Who may see what, as it lies in the database: levels, sealed parts, and what all processes of a center follow."""
