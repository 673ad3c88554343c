"""The microphones' levels as the screens and the alarms need them: by seat, ten times a second."""

from __future__ import annotations

from recorder.context import RoomContext
from recorder.monitoring.channels import ChannelWatch, to_db
from recorder.readback.monitor import ConfidenceMonitor
from sync.room.messages import LevelsMessage, SeatLevel


class SeatLevels:
    """Publishes the levels of one room, and raises the alarms of its microphones."""

    def __init__(self, context: RoomContext, confidence_monitor: ConfidenceMonitor) -> None:
        self._context = context
        self._confidence_monitor = confidence_monitor
        self._watches = {seat.channel: ChannelWatch() for seat in context.profile.seats}

    def publish(self, heard_ns: int, levels: list[tuple[int, float, float]]) -> None:
        """Take (peak, rms, clipped) of each channel, heard up to `heard_ns`."""
        context = self._context
        now_ns = context.clock.now_ns()
        self._confidence_monitor.heard(heard_ns, levels)
        seats: dict[str, SeatLevel] = {}
        for seat in context.profile.seats:
            if seat.channel >= len(levels):
                continue
            peak, rms, clipped = levels[seat.channel]
            seats[seat.id] = {"peak_db": to_db(peak), "rms_db": to_db(rms)}
            watch = self._watches[seat.channel]
            watch.update(peak, clipped, now_ns)
            silent = watch.silent and context.hearing is not None
            context.set_alarm("silence", seat.id, f"{seat.role}的话筒没有任何信号" if silent else None)
            context.set_alarm("clipping", seat.id, f"{seat.role}的话筒音量过大，声音失真" if watch.clipping else None)
        message: LevelsMessage = {"at_ns": now_ns, "seats": seats}
        context.feed.publish_json("levels", message)
