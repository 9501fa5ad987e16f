package render

import (
	"errors"
	"fmt"

	"galbuild/build/catalog"
	"galbuild/index"
)

// CheckChunks returns an error unless an index has the chunks that the main file of its catalogue
// names, in the same order. Otherwise a copy of the generation could lack chunks of the index.
func CheckChunks(ix *index.Index, files []catalog.ChunkFiles) error {
	rest := ix.Chunks()
	for _, c := range files {
		for i, f := range c.Index {
			if len(rest) == 0 {
				return fmt.Errorf("the index does not have chunk %s, which the catalogue names", catalog.IndexChunkPath(f.SHA256))
			}
			want := index.Chunk{First: rest[0].First, SHA256: f.SHA256, Size: f.Size, Documents: f.Documents, Files: f.Files}
			if i == 0 {
				want.First = c.First // the main file names only this one
			}
			if rest[0] != want {
				return fmt.Errorf("the index has chunk %s where the catalogue names %s", rest[0].Name(), want.Name())
			}
			rest = rest[1:]
		}
	}
	if len(rest) > 0 {
		return errors.New("the index has more chunks than the catalogue names")
	}
	return nil
}
