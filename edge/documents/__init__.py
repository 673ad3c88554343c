"""The transcript as documents: the court's form as DOCX and PDF, subtitles, and all of it as JSON."""
