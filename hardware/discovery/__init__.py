"""What is plugged in or stands in the room's network: found for who sets a room up, never believed unseen."""
