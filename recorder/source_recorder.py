"""One source from its worker process to the files: a runner that keeps it alive, and a pipeline for each of its tracks.

The tracks of a source share its troubles: what its process did is the reason for a gap in each of them.
"""

from __future__ import annotations

from hardware.sources import Source
from recorder.capture.supervisor import SourceRunner, State
from recorder.context import RoomContext
from recorder.media_events import MediaEvents
from recorder.readback.monitor import ConfidenceMonitor
from recorder.seat_levels import SeatLevels
from recorder.storage.schedule import RecordingPlan
from recorder.track_pipeline import TrackPipeline
from sync.media.tracks import PROGRAM
from sync.room.messages import TrackStatus


class SourceRecorder:
    """Records one source. All methods belong to the event loop."""

    def __init__(
        self,
        source: Source,
        context: RoomContext,
        media_events: MediaEvents,
        confidence_monitor: ConfidenceMonitor,
        seat_levels: SeatLevels,
    ) -> None:
        self.source = source
        self._context = context
        self.pipelines = [
            TrackPipeline(info, context, media_events, confidence_monitor.picture_meters(info.id))
            for info in source.tracks
        ]
        self._runner = SourceRunner(
            source,
            [pipeline.track for pipeline in self.pipelines],
            context.clock,
            on_levels=seat_levels.publish,
            on_trouble=self._note_trouble,
            on_change=self._state_changed,
        )

    async def run(self) -> None:
        """Run until it is canceled."""
        await self._runner.run()

    @property
    def is_idle(self) -> bool:
        """No hearing waits for its tracks: what was left off in one shall not come back for its last moments."""
        return all(pipeline.selector.is_idle for pipeline in self.pipelines)

    @property
    def state(self) -> State:
        """How its worker is."""
        return self._runner.state

    @property
    def is_wanted(self) -> bool:
        """What it gives now is of a hearing, and is to be kept."""
        return any(pipeline.selector.wanting for pipeline in self.pipelines)

    def retry(self) -> None:
        """A hearing began or ended: a source that was left off may try again."""
        self._runner.again()

    def informed(self) -> None:
        """It is known whether a hearing is open."""
        for pipeline in self.pipelines:
            pipeline.selector.informed()

    def follow(self, plan: RecordingPlan) -> None:
        """The room's log says what is to be kept of a hearing."""
        for pipeline in self.pipelines:
            pipeline.selector.want(plan.hearing, plan.stretches, ended=plan.ended)

    def tick(self, now_ns: int) -> None:
        """Call about twice a second."""
        if self._runner.state == "off" and self._context.hearing is None and self.is_idle:
            self._runner.again()  # between hearings the machine has time to try
        elif self._runner.state == "off":  # what it misses is missing for this reason, for as long as it lasts
            for pipeline in self.pipelines:
                pipeline.selector.trouble(now_ns, self.source.off_why, alone=True)
        for pipeline in self.pipelines:
            pipeline.selector.tick(now_ns)
            self._judge_pace(pipeline)

    def track_status(self) -> list[TrackStatus]:
        """What the status tells of its tracks."""
        return [
            {
                "id": pipeline.info.id,
                "kind": pipeline.info.kind,
                "name": pipeline.info.name,
                "mime": pipeline.mime,
                "state": self._runner.state,
                "kept": pipeline.is_kept(self._context.clock.now_ns()),
                "kept_bytes": pipeline.kept_bytes,
                "last_fragment_ns": pipeline.track.end_ns or None,
                "restarts": self._runner.restarts,
                "why": self._runner.why,
                "fault": self._runner.fault,
                "fps": None if pipeline.pace is None else pipeline.pace.fps,
                "key_s": None if pipeline.pace is None else pipeline.pace.key_s,
                "long_keys_s": None if pipeline.pace is None else pipeline.pace.long_keys_s,
            }
            for pipeline in self.pipelines
        ]

    def _judge_pace(self, pipeline: TrackPipeline) -> None:
        """Say when far fewer pictures come than the profile asks for; times are right all the same."""
        asked, pace = self.source.fps, pipeline.pace
        if asked is None or pace is None:
            return
        slow = self._runner.state == "running" and pace.too_slow(asked)
        text = (
            f"{pipeline.info.name}：每秒只有 {pace.fps or 0:g} 幅画面（设定 {asked}），请检查光线、码流设置和 USB 带宽"
        )
        self._context.set_alarm("slow-picture", pipeline.info.id, text if slow else None)

    def _note_trouble(self, at_ns: int, why: str) -> None:
        for pipeline in self.pipelines:
            pipeline.selector.trouble(at_ns, why)

    def _state_changed(self) -> None:
        runner, context = self._runner, self._context
        failed = runner.state == "failed"
        context.set_alarm("source", self.source.id, f"设备中断：{runner.why}" if failed else None)
        if self.source.off_why and runner.state in ("off", "running"):
            text = runner.why  # None while it runs
            if self.source.id == PROGRAM:
                context.set_alarm("program", self.source.id, text)
            else:
                context.set_alarm("compatible", self.source.id, text)
        if self.source.device and runner.state == "running":
            self._judge_place(self.source.device)
        context.status_changed.set()

    def _judge_place(self, device: str) -> None:
        """Say when a USB camera's name leads to another socket than it did: it may be another camera."""
        moved = self._context.camera_places.moved(self.source.id, device)
        text = None
        if moved is not None:
            was, now = moved
            text = (
                f"{self.source.tracks[0].name}：{device} 原接在 {was}，现接在 {now}，可能是另一台摄像头。录制继续，"
                "请核对画面，并在配置中改用 /dev/v4l/by-path/… (another camera may be under this name)"
            )
        self._context.set_alarm("another-camera", self.source.id, text)
