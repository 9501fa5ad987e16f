'use strict';
const pageSize = 30, latestFlags = 950, allFlags = 439;
const byId = id => document.getElementById(id), main = byId('main'), text = byId('text'), sort = byId('sort');

// The base URL of the gallery: data-base, which is ./ or ../, resolved against the address of
// this page. The query and the fragment are left out, because whoever sends a link chooses them.
const here = location.origin + location.pathname;
const base = new URL(document.documentElement.dataset.base, here).href.replace(/\/$/, '');
// The lower-case ids of the extensions that this gallery recommends, on its home page only.
const recommended = document.documentElement.dataset.recommended.split(' ').filter(Boolean);
const [, kind, rest] = here.slice(base.length + 1).match(/^(?:vscode\/)?(item|publishers)(?:\/([^/]*))?$/) || [];
byId('home').href = base + '/';

// Everything that comes from an extension is set as text, never as HTML. Its addresses are used
// only if safe accepts them.
function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes || {})) if (v != null) node[k] = v;
  node.append(...children.filter(c => c != null && c !== ''));
  return node;
}
// safe returns an http or https address, or undefined for any other value.
function safe(url) {
  const parsed = url && URL.canParse(url) && new URL(url);
  return parsed && /^https?:$/.test(parsed.protocol) ? parsed.href : undefined;
}
// decode returns percent-encoded text decoded, or as it is if the encoding is invalid.
function decode(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}
const day = t => (t || '').slice(0, 10);
const statistic = (e, name) => (e.statistics.find(s => s.statisticName === name) || {}).value;
const property = (v, key) => (v.properties.find(p => p.key === key) || {}).value;
const asset = (v, type) => v.files.some(f => f.assetType === type) ? safe(v.assetUri + '/' + type) : undefined;
const id = e => e.publisher.publisherName + '.' + e.extensionName;

// query sends a query with one filter, and returns its result.
async function query(criteria, options) {
  const filter = { criteria: [...criteria, { filterType: 8, value: 'Microsoft.VisualStudio.Code' }, { filterType: 12, value: '4096' }],
    pageNumber: 1, pageSize, sortBy: 0, sortOrder: 0, ...options.filter };
  const response = await fetch(base + '/api/extensionquery', { method: 'POST',
    headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ filters: [filter], assetTypes: [], flags: options.flags }) });
  if (!response.ok) throw new Error('the gallery responded with status ' + response.status);
  const result = (await response.json()).results[0];
  return { extensions: result.extensions, total: result.resultMetadata[0].metadataItems[0].count };
}

function icon(e) {
  const url = asset(e.versions[0], 'Microsoft.VisualStudio.Services.Icons.Default');
  const letter = make('span', { className: 'noicon', ariaHidden: 'true' }, (e.displayName || '?')[0].toUpperCase());
  return url ? make('img', { src: url, alt: '', loading: 'lazy', onerror() { this.replaceWith(letter); } }) : letter;
}
const itemLink = (e, ...children) => make('a', { href: base + '/item?itemName=' + encodeURIComponent(id(e)) }, ...children);
const publisherLink = e => make('a', { href: base + '/publishers/' + encodeURIComponent(e.publisher.publisherName) }, e.publisher.displayName);

function numbers(e) {
  const installs = statistic(e, 'install'), rating = statistic(e, 'averagerating'), count = statistic(e, 'ratingcount');
  return [installs ? installs.toLocaleString() + ' installs' : '', count ? '★ ' + rating.toFixed(1) + ' (' + count + ')' : '',
    e.versions[0].version, 'updated ' + day(e.lastUpdated)].filter(Boolean).join(' · ');
}
function row(e) {
  return make('li', {}, icon(e), make('div', {},
    make('h3', {}, itemLink(e, e.displayName)),
    make('p', {}, e.shortDescription || ''),
    make('p', { className: 'dim small' }, publisherLink(e), ' · ' + numbers(e))));
}

// recommendations returns the recommended extensions with a heading, in the order of their ids.
async function recommendations() {
  if (recommended.length === 0) return [];
  const criteria = recommended.map(value => ({ filterType: 7, value }));
  const { extensions } = await query(criteria, { flags: latestFlags, filter: { pageSize: recommended.length } });
  const place = e => recommended.indexOf(id(e).toLowerCase());
  extensions.sort((a, b) => place(a) - place(b));
  return [make('h2', {}, 'Recommended'), make('ol', {}, ...extensions.map(row)), make('h2', {}, 'All')];
}

// list shows the results of a query, page by page, after the nodes that before returns. A
// response that arrives after a newer list was begun is ignored.
let newest = 0;
async function list(title, criteria, sortBy, before) {
  const current = ++newest, rows = make('ol'), count = make('p', { className: 'dim small' });
  const more = make('button', { hidden: true, onclick: () => page() }, 'More');
  let number = 0;
  async function page() {
    const r = await query(criteria, { flags: latestFlags, filter: { pageNumber: ++number, sortBy } });
    const intro = number === 1 && before ? await before() : [];
    if (current !== newest) return;
    if (number === 1) main.replaceChildren(...(title ? [make('h1', {}, title)] : []), ...intro, count, rows, more);
    rows.append(...r.extensions.map(row));
    count.textContent = r.total === 1 ? '1 extension' : r.total.toLocaleString() + ' extensions';
    more.hidden = rows.children.length >= r.total || r.extensions.length === 0;
  }
  await page();
}

function search() {
  const words = text.value.trim();
  history.replaceState(null, '', base + '/' + (words ? '#' + encodeURIComponent(words) : ''));
  document.title = 'Extensions';
  const by = +sort.value || (words ? 0 : 4);
  return show(words ? list('', [{ filterType: 10, value: words }], by) : list('', [], by, recommendations));
}

function versionRow(e, v) {
  const name = v.version + (property(v, 'Microsoft.VisualStudio.Code.PreRelease') === 'true' ? ' (pre-release)' : '');
  return make('tr', {}, make('td', {}, name), make('td', {}, v.targetPlatform || 'any platform'), make('td', {}, day(v.lastUpdated)),
    make('td', {}, 'VS Code ' + (property(v, 'Microsoft.VisualStudio.Code.Engine') || '')),
    make('td', {}, make('a', { href: safe(v.assetUri + '/Microsoft.VisualStudio.Services.VSIXPackage') }, 'Download')));
}
function related(title, ids) {
  if (!ids) return [];
  const links = ids.split(',').map(i => make('a', { className: 'tag', href: base + '/item?itemName=' + encodeURIComponent(i) }, i));
  return [make('h2', {}, title), make('p', {}, ...links)];
}
async function section(title, url) {
  const response = url && await fetch(url);
  return response && response.ok ? [make('h2', {}, title), make('pre', {}, await response.text())] : [];
}
async function item(name) {
  const { extensions: [e] } = await query([{ filterType: 7, value: name }], { flags: allFlags, filter: { pageSize: 1 } });
  if (!e) { main.replaceChildren(make('h1', {}, 'Not in this gallery'), make('p', {}, name)); return; }
  const v = e.versions[0], source = safe(property(v, 'Microsoft.VisualStudio.Services.Links.Source'));
  document.title = e.displayName;
  main.replaceChildren(
    make('div', { className: 'head' }, icon(e), make('div', {}, make('h1', {}, e.displayName), make('p', {}, e.shortDescription || ''),
      make('p', { className: 'dim small' }, publisherLink(e), ' · ' + numbers(e)))),
    make('pre', {}, 'code --install-extension ' + id(e)),
    make('p', { className: 'small' }, source ? make('a', { href: source, rel: 'noreferrer' }, 'Source') : '',
      ...e.categories.map(c => make('span', { className: 'tag' }, c)), ...e.tags.filter(t => !t.startsWith('_')).map(t => make('span', { className: 'tag dim' }, t))),
    ...related('Needs', property(v, 'Microsoft.VisualStudio.Code.ExtensionDependencies')),
    ...related('Contains', property(v, 'Microsoft.VisualStudio.Code.ExtensionPack')),
    make('h2', {}, 'Versions'), make('table', {}, make('tbody', {}, ...e.versions.map(x => versionRow(e, x)))));
  for (const [title, type] of [['Readme', 'Details'], ['Changelog', 'Changelog']])
    main.append(...await section(title, asset(v, 'Microsoft.VisualStudio.Services.Content.' + type)));
}

function show(work) {
  return work.catch(err => main.replaceChildren(make('h1', {}, 'The request to the gallery failed'),
    make('p', {}, String(err.message || err)), make('p', { className: 'dim' }, 'Search needs galshim. Downloads and the update checks of editors may work without it.')));
}
let typing;
text.oninput = () => { clearTimeout(typing); typing = setTimeout(search, 150); };
sort.onchange = search;
const itemName = new URLSearchParams(location.search).get('itemName');
if (kind === 'item') show(item(itemName || ''));
else if (kind === 'publishers' && rest && rest !== 'index.html') show(list(decode(rest), [{ filterType: 18, value: decode(rest) }], 4));
else { text.value = decode(location.hash.slice(1)); search(); }
