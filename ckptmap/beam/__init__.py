"""ckptmap's verbs as transforms of Apache Beam, for fleets that one machine is not enough for (the extra ``beam``)."""

from ckptmap.beam.reports import CatalogueReports as CatalogueReports
from ckptmap.beam.rows import Audited as Audited
from ckptmap.beam.rows import Catalogued as Catalogued
from ckptmap.beam.rows import Compared as Compared
from ckptmap.beam.rows import Converted as Converted
from ckptmap.beam.rows import Failed as Failed
from ckptmap.beam.rows import Held as Held
from ckptmap.beam.transforms import AuditCheckpoints as AuditCheckpoints
from ckptmap.beam.transforms import ConvertCheckpoints as ConvertCheckpoints
from ckptmap.beam.transforms import DiffCheckpoints as DiffCheckpoints
from ckptmap.beam.transforms import InspectCheckpoints as InspectCheckpoints
from ckptmap.beam.transforms import ReadInventories as ReadInventories
