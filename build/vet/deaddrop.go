package vet

import "regexp"

// A dead drop is a public place, such as a blockchain or a calendar, from which code reads where
// it gets its orders. Reading it is harmless. Suspicious is to decode or run what was read.

var (
	// chain matches requests for what others have written into a blockchain.
	chain = newSearch("getSignaturesForAddress getTransaction eth_call eth.call eth_getTransaction ethers.Contract trongrid aptoslabs getAccountInfo",
		`\bgetSignaturesForAddress\b|\beth_call\b|\beth\.call\b|\beth_getTransactionByHash\b|\bapi\.trongrid\.io\b|\baptoslabs\.com\b|\bethers\.Contract\b|\bgetAccountInfo\b|\bgetTransaction\b`)
	// account matches the address of an account, which an explorer would ask for.
	account = regexp.MustCompile(`["'\x60](?:0x[0-9a-fA-F]{40}|0x[0-9a-fA-F]{64}|[1-9A-HJ-NP-Za-km-z]{32,44})["'\x60]|/accounts/[1-9A-HJ-NP-Za-km-z]{32,44}/`)
	memo    = regexp.MustCompile(`\bmemo\b`)
	decodes = regexp.MustCompile(`\batob\s*\(|\bBuffer\.from\s*\([^()]*(?:\([^()]*\))?[^()]*["'](?:base64(?:url)?|hex)["']|\bfromCharCode\b|\beval\b|\bFunction\s*\(`)
	follows = regexp.MustCompile(`\beval\b|\bFunction\s*\(|\brunIn\w*Context\b|\bchild_process\b|\b(?:cp|childProcess)\.\w+\(|\bexec(?:Sync)?\s*\(|\bspawn\s*\(|\batob\s*\(`)
)

// farDrop is how many bytes after a dead drop what was read is decoded.
const farDrop = 600

// checkDeadDrops looks for code that decodes or runs what it reads in such a place.
func (s *Scanner) checkDeadDrops(f *file) {
	s.eachDrop(f, chain, func(before, after []byte) bool {
		near := append(before[max(0, len(before)-200):len(before):len(before)], after...)
		return account.Match(near) && (memo.Match(after) || follows.Match(after)) || memo.Match(after) && decodes.Match(after)
	}, "code reads the orders of an account in a blockchain")
}

// places are hosts of pages whose text anybody can write.
var places = map[string]bool{"calendar.app.google": true, "calendar.google.com": true, "steamcommunity.com": true, "telegra.ph": true, "t.me": true,
	"docs.google.com": true, "gist.githubusercontent.com": true}

// checkPlace looks at the address of such a page.
func (s *Scanner) checkPlace(f *file, host string, from int) {
	after := f.content[from:min(len(f.content), from+farDrop)]
	if places[host] && decodes.Match(after) {
		s.findings.add(f.at(address, High, from, from+maxEvidence, "code decodes what it reads on a page that anybody can write"))
	}
}

// eachDrop reports the first place that a search finds and a test confirms.
func (s *Scanner) eachDrop(f *file, where search, confirms func(before, after []byte) bool, detail string) {
	if !where.in(f.content) {
		return
	}
	for _, at := range where.pattern.FindAllIndex(f.content, 100) {
		before := f.content[max(0, at[0]-farDrop):at[0]]
		after := f.content[at[0]:min(len(f.content), at[1]+farDrop)]
		if confirms(before, after) {
			s.findings.add(f.at(address, High, at[0], at[1], detail))
			return
		}
	}
}
