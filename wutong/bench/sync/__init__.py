"""How far picture and sound of one moment lie apart."""
