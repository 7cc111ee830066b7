/** Elements from data. Text goes in as text only: nothing of a report is ever parsed as markup. */

export type Child = Node | string | null;

export type Attributes = { readonly [name: string]: string | number | boolean | null };

/** An element; an attribute that is null or false is left out, one that is true is empty. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes,
  ...children: readonly (Child | readonly Child[])[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== null && value !== false) element.setAttribute(name, value === true ? '' : String(value));
  for (const child of children.flat() as Child[]) if (child !== null) element.append(child);
  return element;
}

export function button(attributes: Attributes, label: string, onClick: () => void): HTMLButtonElement {
  const element = h('button', { type: 'button', ...attributes }, label);
  element.addEventListener('click', onClick);
  return element;
}

/** A table; `numbers` are the columns that stand to the right. */
export function dataTable(
  head: readonly string[],
  rows: readonly (readonly Child[])[],
  numbers: readonly number[] = [],
  caption: string | null = null,
): HTMLElement {
  const align = (column: number) => (numbers.includes(column) ? 'number' : null);
  return h(
    'div',
    { class: 'table', tabindex: 0, role: 'region', 'aria-label': caption ?? head.join(', ') },
    h(
      'table',
      {},
      caption === null ? null : h('caption', {}, caption),
      h('thead', {}, h('tr', {}, ...head.map((name, column) => h('th', { scope: 'col', class: align(column) }, name)))),
      h(
        'tbody',
        {},
        ...rows.map((row) =>
          h(
            'tr',
            {},
            ...row.map((cell, column) =>
              column === 0 ? h('th', { scope: 'row' }, cell) : h('td', { class: align(column) }, cell),
            ),
          ),
        ),
      ),
    ),
  );
}
