package galbuild

import (
	"context"

	"galbuild/publish"
	"galbuild/publish/delivery"
)

// view makes a view of the site. Its errors have the hints of galbuild view.
func (s *syncCmd) view(ctx context.Context, e *env, of string, v delivery.View) (made publish.Viewed, err error) {
	at, err := s.At(of)
	if err != nil {
		return made, err
	}
	c := viewCmd{
		Of: of, Output: v.Output, policyFlags: policyFlags{Policy: v.Policy, AcceptPolicy: s.AcceptPolicy}, keepFlag: s.keepFlag, authorFlags: s.authorFlags, Remote: *at,
	}
	before := folderBefore(c.Output)
	made, err = c.make(ctx, e)
	return made, before.cleanUp(err)
}
