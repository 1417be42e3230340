import csv
import io
from typing import Any

from ckptmap.report.csv_format import to_csv
from ckptmap.report.sheets import sheet_of


def test_one_line_a_variable(conversion: dict[str, Any]) -> None:
    lines = to_csv(sheet_of(conversion)).splitlines()
    first = "model/block_1/kernel,backbone,old/block_1/kernel"
    new = "reinitialized,model/head/kernel,backbone,,"
    head = '"class head: the source has 90 classes, the target 3"'
    assert [lines[0], lines[1], lines[3]] == [
        "side,name,fate,key,part,source,operations,reason,rule,shape,dtype,parameters,fill",
        f'target,block_1/kernel,restored,{first},"squeeze axes [0, 1]",,t.yaml:3,"[1, 1, 3, 8]",float32,24,',
        f'target,head/kernel,{new},{head},t.yaml:9,"[8, 4]",float32,32,initializer',
    ]
    assert lines[8] == "source,old/lost,unused,,,,,,,,,,"


def test_no_cell_is_a_formula_and_every_row_is_one_line(hostile: dict[str, Any]) -> None:
    text = to_csv(sheet_of(hostile))
    rows = list(csv.reader(io.StringIO(text)))
    assert len(text.splitlines()) == len(rows) == 8
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)
    assert rows[2][1] == '\'=HYPERLINK("http://evil.example")'
    assert rows[5][1] == r"escape\x1b[31m]]>"
    assert rows[6][1] == r"broken\udc80utf8"
