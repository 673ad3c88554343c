"""Who is at the panel: persons whom the center knows, their quick PINs, the lock, and who acts."""
