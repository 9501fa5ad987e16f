package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"galbuild/build/jsonc"
	"galbuild/publish"
	"galbuild/render/gallery"
)

// A View is a view of the site for a team, as galbuild view makes it.
type View struct {
	Name   string // by which galshim serves it
	Policy string // file of its policy
	Output string // its folder
}

func (r *fileReader) readViews(f jsonc.Field) (all []View) {
	for _, x := range r.Elements(f) {
		v := r.readView(x)
		if slices.ContainsFunc(all, func(other View) bool { return other.Name == v.Name || other.Output == v.Output }) {
			r.Problem(x, "two views have the name %q or its folder", v.Name)
		}
		all = append(all, v)
	}
	return all
}

func (r *fileReader) readView(f jsonc.Field) (v View) {
	for _, x := range r.Members(f, "name", "policy", "output") {
		switch x.Name {
		case "name":
			v.Name, _ = r.String(x, `the name of a view such as "team-a"`)
		case "policy":
			v.Policy = r.path(x, "the file of a policy")
		case "output":
			v.Output = r.path(x, "the folder of the view")
		}
	}
	if f.Value.Value.Kind() != '{' {
		return v
	}
	if v.Policy == "" {
		r.Problem(f, `want the key "policy", the file of the view's policy`)
	}
	if err := gallery.CheckViewName(v.Name); err != nil {
		r.Problem(f, "%v", err)
	}
	if v.Output == "" {
		v.Output = r.join(v.Name)
	}
	return v
}

// makeViews makes the views of the new generation. The site has it already, and a view never has
// what the site does not have. If a view cannot be made, the others are, and the old one stays.
func (d *delivery) makeViews(ctx context.Context) error {
	var failed []error
	for _, v := range d.File.Views {
		made, err := d.View(ctx, v)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("view %s: %w", v.Name, err))
			continue
		}
		d.result.Views = append(d.result.Views, MadeView{v.Name, made})
	}
	return errors.Join(failed...)
}

// MadeView is a view that was made.
type MadeView struct {
	Name string `json:"name"`
	publish.Viewed
}
