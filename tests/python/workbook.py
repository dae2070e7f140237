"""Reads a workbook with openpyxl, a reader of another make, and prints it as JSON: name, cells, types of cells.

Promises: exits with 1 when a cell is a formula. Never: computes anything.
"""

import json
import sys

import openpyxl

book = openpyxl.load_workbook(sys.argv[1], data_only=False)
sheet = book.active
rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
kinds = sorted({cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None})
if "f" in kinds:
    sys.exit("a cell is a formula")
print(json.dumps({"sheet": sheet.title, "rows": rows, "kinds": kinds}, ensure_ascii=False))
