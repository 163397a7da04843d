"""Clocks on the wall of a time zone, and where what they show lies on the real time line.

A local time is given as a ``datetime`` in UTC that shows the same; instants are whole Unix
milliseconds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


class LocalTime:
    """The clocks of one zone of the IANA database.

    Raises:
        ValueError: the zone is not known here.

    """

    def __init__(self, zone: str) -> None:
        try:
            self._zone = ZoneInfo(zone)
        except (ValueError, OSError, KeyError):
            raise ValueError(
                f'timezone "{zone}" is not known here: give a name of the IANA database, '
                'such as "Europe/Berlin", and see that the machine has that database (tzdata)'
            ) from None

    def shown(self, instant: int) -> tuple[datetime, bool]:
        """Return what clocks show at an instant, and whether they show it for the second time."""
        here = datetime.fromtimestamp(instant / 1000, self._zone)
        return here.replace(tzinfo=UTC, fold=0), bool(here.fold)

    def changes_on(self, midnight: datetime) -> bool:
        """Whether the day that begins at a local midnight has other than 24 hours."""
        return self._offset(midnight) != self._offset(midnight + timedelta(days=1))

    def repeat(self, local: datetime) -> timedelta:
        """Return after how long clocks show ``local`` again; 0 where they show it once or never."""
        # Where they jump over it the later offset is the larger one.
        return max(timedelta(0), self._offset(local) - self._offset(local.replace(fold=1)))

    def instant(self, local: datetime) -> int:
        """Return the first instant at which clocks show ``local``.

        Where they jump over it, that is the moment of the jump.
        """
        here = local.replace(tzinfo=self._zone)
        late = int(here.timestamp())
        if datetime.fromtimestamp(late, self._zone).replace(tzinfo=UTC) == local:
            return late * 1000
        # ``here`` read by the offset before the jump lies after it, by the one after it before.
        early, before = int(here.replace(fold=1).timestamp()), here.utcoffset()
        while late - early > 1:
            middle = (early + late) // 2
            if datetime.fromtimestamp(middle, self._zone).utcoffset() == before:
                early = middle
            else:
                late = middle
        return late * 1000

    def _offset(self, local: datetime) -> timedelta:
        return local.replace(tzinfo=self._zone).utcoffset() or timedelta(0)
