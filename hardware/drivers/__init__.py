"""What speaks to sound cards and to ffmpeg."""
