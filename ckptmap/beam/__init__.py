"""ckptmap's verbs as transforms of Apache Beam, for fleets that one machine is not enough for (the extra ``beam``)."""

from ckptmap.beam.transforms import Catalogued as Catalogued
from ckptmap.beam.transforms import ConvertCheckpoints as ConvertCheckpoints
from ckptmap.beam.transforms import Converted as Converted
from ckptmap.beam.transforms import Failed as Failed
from ckptmap.beam.transforms import InspectCheckpoints as InspectCheckpoints
