"""Checks of the transcript (文书纠错): each a pure function of the lines and the case, quiet unless it can say why."""
