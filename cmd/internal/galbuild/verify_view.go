package galbuild

import (
	"context"
	"fmt"

	"galbuild/cmd/internal/hint"
	"galbuild/publish"
)

// checkView returns a problem for each version that the gallery of --view-of does not serve any
// more. It is an error if the target is not a view.
func (v *verifyCmd) checkView(ctx context.Context, e *env) (problems []string, err error) {
	if v.viewOf == nil {
		return nil, nil
	}
	view, err := readTarget(ctx, e, &v.Flags)
	if err != nil {
		return nil, err
	}
	defer closeTarget(view.at)
	if !view.catalog.View {
		return nil, hint.Add(fmt.Errorf("%s is not a view", view.at), "galbuild view %s -o FOLDER --policy FILE makes one", v.ViewOf)
	}
	of, err := v.viewOf.OpenToRead(e.target)
	if err != nil {
		return nil, err
	}
	defer closeTarget(of)
	problems, err = publish.CheckView(ctx, view.catalog, of)
	if err != nil {
		err = explainPublish(err)
	}
	return problems, err
}
