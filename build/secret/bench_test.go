package secret

import (
	"bytes"
	"strings"
	"testing"
)

// minified returns text like the output of a bundler: one long line, with words that begin
// like the literals of patterns.
func minified(size int) []byte {
	const part = `"use strict";var t=Object.create,n=Object.defineProperty,i=(e,r)=>function(){return r||(0,e[Object.keys(e)[0]])((r={exports:{}}).exports,r),r.exports};` +
		`class Task{constructor(e){this.options=e,this.secret=e.secret,this.task_id="task-"+e.id}get npmName(){return process.env.npm_config_registry||"https://registry.example/"}` +
		`async highlight(e,{signal:n,depth:o=0}={}){if(n?.aborted)throw new Error("aborted: "+e);for(const[s,a]of this.ghosts)await a.dispatch(s,{op:"op_set",at:o+1})}}module.exports=i;` +
		`function inspect(e,n){switch(typeof e){case"string":return e.length>80?e.slice(0,77)+"...":e;case"undefined":return n?"":"undefined";default:return String(e)}}`
	return bytes.Repeat([]byte(part), size/len(part)+1)[:size]
}

func BenchmarkScan(b *testing.B) {
	for name, text := range map[string][]byte{
		"minified": minified(8 << 20),
		"markdown": bytes.Repeat([]byte("| a | b |\n|-----|-----|\n\n## Heading\n\nSome text, see https://example.com/a.\n\n"), 100_000),
		"dashes":   []byte(strings.Repeat("-", 8<<20)),
		"keys":     bytes.Repeat([]byte("-----BEGIN PRIVATE KEY-----\n"), 30_000),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if found := Scan("extension.js", text, Options{}); len(found) > 0 {
					b.Fatal(found)
				}
			}
		})
	}
}
