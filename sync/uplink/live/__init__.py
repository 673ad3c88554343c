"""What is sent live to the center, and whether another device sends under the same name."""
