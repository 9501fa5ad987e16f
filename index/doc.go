// Package index searches extensions in an immutable file, the index. What is sent of an extension
// that was found is in other files, the chunks. [EncodeChunk] returns a chunk, and [Write] writes
// the index. [Open] decompresses the index into memory, and [Index.Search] returns the documents
// that match a [query.Filter].
//
// A [Document] describes one extension: values to match, texts to search and numbers to sort
// by. Its payloads are returned as they were written. The package does not depend on the
// format of .vsix packages or on HTTP.
//
// This comment specifies what is in a chunk, which documents match, how they are ranked and sorted,
// how much work a search may take, and the format of the files.
//
// # Chunks
//
// The payloads of an extension, and the files that belong to it, are in a chunk together with
// those of its neighbours. A chunk is a file that is named by its SHA-256. So an index and the one
// that replaces it share all chunks in which nothing has changed. The index has the SHA-256, the
// size and the numbers of documents and files of each chunk, and the chunk and position of each
// document. A search reads no chunk. A chunk is opened, and checked against its SHA-256, when a
// payload or a file in it is first needed. If a chunk is missing or damaged, all others can still
// be read.
//
// Extensions are distributed to chunks by their keys, publisher.name in lower case. A chunk has the
// extensions whose keys are equal to the first key of the chunk or greater, and less than that of
// the next chunk. The first chunk has the first key "", so that it has all smaller keys. Which keys
// begin a chunk is decided by the caller.
//
// A path of four elements or more belongs to the extension whose key is the second element, a dot,
// and the third element: assets/acme/hello/1.0.0/icon.png belongs to acme.hello. A file with such a
// path is in the chunk with that key, whether the extension has a document or not. Files with other
// paths are in the index itself.
//
// # Criteria
//
// Criteria of the same type are alternatives, and criteria of different types must all match.
// Ids and names are one type. Values are compared as by strings.EqualFold, without surrounding
// white space. The category "Languages" is the same as "Programming Languages".
//
// A target that begins with Microsoft.VisualStudio.Code matches every document. A platform
// matches the documents built for it or for "universal". Any other target matches none.
// Exclude removes the documents that have at least one of its flags. Include removes those that
// do not have all of its flags.
//
// # Texts
//
// A search text is split into words. A word is a run of letters and digits, with the + and #
// that follow it. Accents, widths and case do not matter. A document matches if each word of
// the text equals one of its terms. The last word, which may still be typed, may also be a
// prefix of a term. The terms of a document are
//
//   - the words of title, name, publisher, publisher's title, tags, categories, description
//     and contributed texts;
//   - the parts of words in CamelCase;
//   - every two neighbouring words joined, except in categories, description and contributed
//     texts;
//   - every suffix, cut to 16 characters, of a run of Chinese, Japanese, Korean or Thai. Such
//     a run is a word of its own. In a search text it may always be a prefix, so that it finds
//     any part of a run;
//   - the synonyms of all these terms. [Content] has groups of synonyms. A document with one
//     word of a group has all of them as terms, with the largest of their weights.
//
// Hidden tags, which begin with an underscore, have no terms, because packagers write them for
// programs: a language pack has thousands. The exception is a tag such as __ext_tsx, which
// declares a file type: its term is "tsx". As criteria, all tags are found as they are.
//
// Each document has compact names: its title and its name, without the spaces and signs between
// words. The synonyms of a compact name are compact names, too. A document also matches if the
// compact form of the whole text equals one of them or is a prefix of one: "liveserv" finds "Live
// Server". A text of two words also matches in this way with its words swapped: "serv live".
//
// A text that has only letters, digits, "-", "_" and ".", and perhaps a leading @, may be an id or
// the beginning of one. It is compared in the same way with the compact forms of ids: @, the
// compact publisher, a dot and the compact name. So "redhat.ja" finds redhat.java, but "red hat" is
// only the beginning of titles and names.
//
// publisher:x and "phrases" restrict the results and are never relaxed. The words of a phrase
// must be terms of the document exactly, and must follow each other in one field. So a single
// word in quotation marks finds its synonyms, and a longer phrase finds only itself. A text of
// quotation marks only is still being typed and is ignored. Package query converts the
// operators of editors, such as @tag:x, to criteria. The words of an unknown operator, such as
// @x or @x:y, add points to the documents that contain them, but need not match unless the
// text has nothing else.
//
// # Relaxation
//
// If no document matches, the requirements are relaxed step by step until one does. The first
// step is also taken if fewer than five documents match, unless the text has several words and
// is exactly the title, name or id of one of them.
//
//  1. Words whose most frequent term has fewer than five documents may be misspelled, and so
//     may the compact form of the text, also that as an id if the text has a dot. A word may
//     differ from a term by one edit if the longer of the two has five letters or more, and by
//     two edits if it has nine or more. An edit is a letter that is deleted, inserted,
//     replaced, or swapped with the next one.
//  2. Every word may be misspelled.
//  3. Not all words need to match, but as many as in any document.
//
// # Pins
//
// Documents can be pinned to a text. They match every text that consists of the same words in
// the same order, whatever their own terms are, unless it has phrases or publishers. They must
// match the other criteria of the filter.
//
// # Ranking
//
// Relevance sorts the matches of a text in this order:
//
//  1. the documents that are pinned to the text, in the order of the pin;
//  2. the document whose id is the text;
//  3. documents whose title or name is the text, word by word;
//  4. documents with a compact name that is the text, if that is a single word;
//  5. all others.
//
// Within each of the last three groups, the document with more points is first, then the one
// with more installs, then the one with the smaller id. The points of a document are a sum,
// multiplied by 1 to 4.9 for popularity, which grows with the logarithm of installs. For each
// word, the best matching term adds the weight of its field × its likeness to the word × the
// rarity of the word. More points are added for how much of a compact name the text is: the most
// for the whole name, five eighths of them if its two words are swapped, half if it is misspelled,
// and for a prefix in proportion to its length. If a filter has several texts, the points for each
// are added. All points are integers, so that all machines compute the same order.
//
// The results of texts are cached, because the first letters that everybody types match the
// most documents. See result_cache.go.
//
// # Work
//
// The cost of a request is limited, so that it cannot keep others waiting. Package query
// limits how much of a request is read. A text is searched with at most 16 different words,
// phrases and publishers, and all texts of a filter together with 16 words. At most 1,000
// bytes of a text remain after accents, ligatures and widths are removed. [Work] then counts
// steps, which are entries of lists and of the dictionary, not time. So the same request with
// the same index always has the same results, whatever is cached and however busy the machine
// is.
//
// If a search has too few steps left for a part of its work, it omits that part. Its results
// are still correct for the part that was searched:
//
//   - Exact criteria whose lists are too long find nothing.
//   - A word with too many terms finds nothing, and neither does a term with too many documents.
//     No more words are corrected. Other relaxations remain.
//   - Phrases of several words are searched for in as many documents as the steps allow, the best
//     first. The other documents are not found.
//   - If there are too many results to sort, a page is in the order of popularity.
//
// One search has 200,000 steps, or 20 for each document if that is more, plus 500 for each
// byte of its texts and 100 for each id or name. All searches of a request together have
// 3,000,000, or 40 for each document if that is more. On one core of a 2020s server, 200,000
// steps take 1 ms and 3,000,000 take 15 ms. Queries of editors take at most 80,000 steps in a
// gallery of 10,000 extensions. A search also ends, within some thousand steps, when its client
// disconnects.
//
// # Orders
//
// Documents are numbered by installs, descending, and then by folded id. So a list in the file
// is already in the order that is requested most often. The other orders are stored in the
// file, ascending and descending, with ties in ascending order of the folded id.
// WeightedRating of a document with r ratings of average a is (r·a + 20·c) / (r + 20), where c
// is the mean of the averages of all rated documents. Relevance without a text is the order of
// installs. TrendingDaily, TrendingWeekly and TrendingMonthly are the orders of the installs of the
// last day, 7 days and 30 days, and then of all installs.
//
// # File format
//
// The index and its chunks have the container format of package segment. The file of an index is
// compressed with Zstandard (RFC 8878): each 16 MiB of it are a frame, and so is the rest. The
// frames have the flag of a single segment and the size of their content, and neither a checksum
// nor a dictionary. All frames together expand to at most 4 GiB, and to at most 64 MiB or 32 times
// the size of the file. Chunks are not compressed as a whole, because they are read in place.
//
// u8, u32 and u64 are unsigned little-endian integers, and i64 is a u64 in two's complement. d32 is
// a u32 that is stored as its difference to the number before it in the section, or to 0 if it is
// the first one, modulo 2³². A string in doc.text and file.typ is its length in bytes followed by
// its bytes; a list is its number of elements followed by the elements. Lengths and numbers of
// elements are varints. All sections must be there, except those of use. For n documents, the
// sections of an index are:
//
//	doc.text  for each document the strings id, uuid, name, publisher, publisher's title,
//	          title, description, and the lists of strings categories, tags, platforms,
//	          contributed texts
//	doc.ends  n d32: the end of each document in doc.text
//	doc.nums  6n u64: installs, rating (IEEE 754), number of ratings, updated, released
//	          (i64, Unix seconds), flags with featured as bit 32
//	doc.pop   n u8: popularity, the binary logarithm of installs in eighths plus 1; 0 for no
//	          installs
//	doc.chk   2n u32: for each document the number of its chunk, and its position in the chunk
//	chk.text  the first keys of the chunks, sorted by bytes, one after the other
//	chk.ends  d32: the end of each key in chk.text
//	chk.rec   48 bytes for each chunk, in the same order: its SHA-256, u64 size in bytes, u32
//	          number of documents, u32 number of files
//	order     14 rows of n u32, the numbers of all documents sorted by updated, title,
//	          publisher, installs, average rating, released, weighted rating; each first
//	          ascending, then descending
//	use.nums  4n u64: downloads, and the installs of the last day, 7 days and 30 days. This
//	          section and the next one are there only if a number of use.nums is not zero
//	use.ord   6 rows of n u32, as in order: sorted by the installs of the last day, 7 days and
//	          30 days, and then by all installs
//	file.rec  64 bytes for each file, sorted: the first 16 bytes of the SHA-256 of its path,
//	          the SHA-256 of its content, u64 size, u32 number of its media type, u32 zero
//	file.typ  the media types, a sorted sequence of strings
//
// There are four dictionaries of strings: key for exact criteria, trm for terms, nam for compact
// names and ids, and pin for pins. Each dictionary has four sections:
//
//	….text    the strings, sorted by bytes, one after the other
//	….ends    d32: the end of each string in ….text
//	….list    d32: the end of the list of each string in ….docs, counted in documents
//	….docs    d32: the numbers of the documents with each string, ascending in each list
//
// A string of pin is the words of the text, folded, joined with single spaces. The documents of
// each of its lists are in the order of the pin.
//
// Four more sections belong to the dictionaries:
//
//	key.hash  u32: a hash table with linear probing, whose length is a power of two. A slot
//	          has 1 + the number of a key, or 0. The hash is FNV-1a 64, its halves XORed
//	trm.wght  u8 for each element of trm.docs: the weight of the term in the document
//	trm.near  66 u32: the positions in the following table at which the strings of
//	nam.near  0, 1, … 64 letters start, and its end. Then a table of u64: the number of a
//	          string in the upper 32 bits, its signature (see fuzzy.go) in the lower 32 bits;
//	          ascending for each length
//
// A key is a letter for its kind (see key.go), followed by the folded value.
//
// For m documents, the sections of a chunk are file.rec and file.typ, as above, and:
//
//	pay.json  the JSON of the payloads: for each document the variant Latest, then the
//	          variant All if it differs. It ends before the statistics, which are in
//	          doc.nums, so that new statistics do not change the chunk
//	pay.hole  u32: offsets of placeholders, each within the JSON of its payload
//	pay.pack  the deflated payloads, in the same order as pay.json
//	pay.rows  12m u64: for each document and variant, begin and end in pay.json in bytes,
//	          begin and end in pay.hole in placeholders, begin and end in pay.pack in bytes
//
// An index of 10,000 extensions with 24,000 packages has these bytes per document: doc 332, key
// 289, trm 176, nam 76, order 56, chunks 11, which are 9.4 MB, and 3.1 MB compressed. Without
// differences, they would be 3.6 MB. The chunks have payloads 9,460, their rows and placeholders
// 195, files 1,095. They are 320 kB each if there are 30 documents in a chunk. On a server of the
// 2020s, this index opens in 17 ms, and a chunk in the time that its SHA-256 takes, 0.2 ms.
//
// # Alternatives
//
// An FST (vellum) takes 0.6 of the bytes of a sorted list of strings, and 4 to 40 times as long for
// a lookup. It also trusts its bytes: damaged ones cause a panic or wrong results, and cannot be
// checked when the file is opened, as they are here. Compressed bitmaps (roaring) pay off for long
// lists. The lists of an index have eight documents on average, carry weights, and are read in
// place.
package index
