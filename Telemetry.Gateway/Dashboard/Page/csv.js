// Tables as CSV files. A cell that a spreadsheet would run as a formula gets an apostrophe in front.

const FORMULA = /^[=+\-@\t\r]/;

/** A table of texts and numbers as CSV (RFC 4180). @param {(string|number|null)[][]} rows */
export function csv(rows) {
  return rows.map(row => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

function cell(value) {
  if (value === null || value === undefined)
    return '';
  if (typeof value === 'number')
    return String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Gives a file to the browser to keep. */
export function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
