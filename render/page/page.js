'use strict';
const pageSize = 30, latestFlags = 950, allFlags = 439;
const byId = id => document.getElementById(id), main = byId('main'), text = byId('text'), sort = byId('sort');

// The gallery's base is where the page's own file lies, as the page says that was
// written: one or no folder above its address. It has this page's origin, whatever
// the rest of the address is.
const here = location.origin + location.pathname;
const base = new URL(document.documentElement.dataset.base, here).href.replace(/\/$/, '');
const [, kind, rest] = here.slice(base.length + 1).match(/^(?:vscode\/)?(item|publishers)(?:\/([^/]*))?$/) || [];
byId('home').href = base + '/';

// Everything that comes from an extension is set as text, never as HTML. An address
// from there is used if it is http or https, see safe.
function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes || {})) if (v != null) node[k] = v;
  node.append(...children.filter(c => c != null && c !== ''));
  return node;
}
function safe(url) {
  const parsed = url && URL.canParse(url) && new URL(url);
  return parsed && /^https?:$/.test(parsed.protocol) ? parsed.href : undefined;
}
// An address that is not percent-encoded as it should be is taken as it stands.
function decode(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}
const day = t => (t || '').slice(0, 10);
const statistic = (e, name) => (e.statistics.find(s => s.statisticName === name) || {}).value;
const property = (v, key) => (v.properties.find(p => p.key === key) || {}).value;
const asset = (v, type) => v.files.some(f => f.assetType === type) ? safe(v.assetUri + '/' + type) : undefined;
const id = e => e.publisher.publisherName + '.' + e.extensionName;

async function ask(criteria, options) {
  const filter = { criteria: [...criteria, { filterType: 8, value: 'Microsoft.VisualStudio.Code' }, { filterType: 12, value: '4096' }],
    pageNumber: 1, pageSize, sortBy: 0, sortOrder: 0, ...options.filter };
  const answer = await fetch(base + '/api/extensionquery', { method: 'POST',
    headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ filters: [filter], assetTypes: [], flags: options.flags }) });
  if (!answer.ok) throw new Error('the gallery answered ' + answer.status);
  const result = (await answer.json()).results[0];
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

// A list that grows by a page at a time; only the newest question's answers are shown.
let question = 0;
async function list(title, criteria, sortBy) {
  const mine = ++question, rows = make('ol'), count = make('p', { className: 'dim small' });
  const more = make('button', { hidden: true, onclick: () => page() }, 'More');
  let number = 0;
  async function page() {
    const r = await ask(criteria, { flags: latestFlags, filter: { pageNumber: ++number, sortBy } });
    if (mine !== question) return;
    if (number === 1) main.replaceChildren(...(title ? [make('h1', {}, title)] : []), count, rows, more);
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
  return show(list('', words ? [{ filterType: 10, value: words }] : [], by));
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
async function document_(title, url) {
  const answer = url && await fetch(url);
  return answer && answer.ok ? [make('h2', {}, title), make('pre', {}, await answer.text())] : [];
}
async function item(wanted) {
  const { extensions: [e] } = await ask([{ filterType: 7, value: wanted }], { flags: allFlags, filter: { pageSize: 1 } });
  if (!e) { main.replaceChildren(make('h1', {}, 'Not in this gallery'), make('p', {}, wanted)); return; }
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
    main.append(...await document_(title, asset(v, 'Microsoft.VisualStudio.Services.Content.' + type)));
}

function show(work) {
  return work.catch(err => main.replaceChildren(make('h1', {}, 'The gallery cannot be asked'),
    make('p', {}, String(err.message || err)), make('p', { className: 'dim' }, 'Search needs galshim; packages and editors’ update checks may work without it.')));
}
let typing;
text.oninput = () => { clearTimeout(typing); typing = setTimeout(search, 150); };
sort.onchange = search;
const itemName = new URLSearchParams(location.search).get('itemName');
if (kind === 'item') show(item(itemName || ''));
else if (kind === 'publishers' && rest && rest !== 'index.html') show(list(decode(rest), [{ filterType: 18, value: decode(rest) }], 4));
else { text.value = decode(location.hash.slice(1)); search(); }
