// A table that sorts and filters any number of rows and shows a page of them.

class SortTable {
  // columns: [{ title, value(row), text(row), numeric, help, cell(row), minor }]; paper has no
  // room for minor ones. `none` is said where there are no rows at all.
  constructor(host, { caption, columns, count, page = 100, matches = null, onrow = null, sort = null, none = '' }) {
    Object.assign(this, { host, columns, page, matches, onrow, none });
    this.order = Array.from({ length: count }, (_, i) => i);
    this.sorted = sort || { column: -1, down: true };
    this.shown = page;
    this.head = el('tr');
    this.body = el('tbody');
    this.more = el('button', { type: 'button', class: 'more', onclick: () => { this.shown += this.page * 4; this.renderRows(); } });
    this.table = el('table', {}, el('caption', { class: 'offscreen' }, caption), el('thead', {}, this.head), this.body);
    host.replaceChildren(this.table, this.more);
    columns.forEach((column, index) => {
      const button = el('button', { type: 'button', title: column.help, onclick: () => this.sortBy(index) }, column.title);
      this.head.append(el('th', { scope: 'col', class: `${column.numeric ? 'number' : ''}${column.minor ? ' minor' : ''}` }, button));
    });
  }

  sortBy(column) {
    const same = this.sorted.column === column;
    this.sorted = { column, down: same ? !this.sorted.down : this.columns[column].numeric };
    this.shown = this.page;
    this.render();
    announce(`Sorted by ${this.columns[column].title}, ${this.sorted.down ? 'falling' : 'rising'}`);
  }

  filter(matches) {
    this.matches = matches;
    this.shown = this.page;
    this.render();
  }

  render() {
    const { column, down } = this.sorted;
    [...this.head.children].forEach((cell, index) => {
      if (index === column) cell.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      else cell.removeAttribute('aria-sort');
    });
    this.visible = this.matches ? this.order.filter(this.matches) : this.order.slice();
    if (column >= 0) {
      const { value, numeric } = this.columns[column];
      const sign = down ? -1 : 1;
      const keys = new Map(this.visible.map((row) => [row, value(row)]));
      const missing = (key) => key === null || key === undefined || Number.isNaN(key);
      this.visible.sort((a, b) => {
        const [x, y] = [keys.get(a), keys.get(b)];
        if (missing(x) || missing(y)) return (missing(x) ? 1 : 0) - (missing(y) ? 1 : 0) || a - b;
        return (numeric ? x - y : (x < y ? -1 : x > y ? 1 : 0)) * sign || a - b;
      });
    }
    this.renderRows();
  }

  renderRows() {
    const rows = this.visible.slice(0, this.shown).map((row) => this.row(row));
    this.body.replaceChildren(...rows);
    if (!rows.length) this.body.append(el('tr', {}, el('td', { colspan: this.columns.length, class: 'empty' }, this.order.length ? 'Nothing fits the filter.' : this.none)));
    const left = this.visible.length - rows.length;
    this.more.hidden = left <= 0;
    this.more.textContent = `Show more: ${whole(left)} of ${whole(this.visible.length)} rows are not shown`;
  }

  row(row) {
    const cells = this.columns.map((column) => {
      const cell = el('td', { class: `${column.numeric ? 'number' : 'name'}${column.minor ? ' minor' : ''}` });
      if (column.cell) cell.append(column.cell(row));
      else cell.textContent = column.text(row);
      return cell;
    });
    const line = el('tr', {}, ...cells);
    if (this.onrow) this.onrow(line, row);
    return line;
  }
}

// A filter of words, all of which must be in the text.
function wordFilter(input, text, table, ...more) {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const lower = text.lower || (text.lower = text.list.map((item) => item.toLowerCase()));
  const test = (row) => words.every((word) => lower[row].includes(word)) && more.every((other) => other(row));
  table.filter(words.length || more.length ? test : null);
}
