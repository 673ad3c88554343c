"""Courts and people as administrators list and change them from pages."""
