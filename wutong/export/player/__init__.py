"""The page that plays an export in any browser, and the copies of pictures and sound that it plays."""
