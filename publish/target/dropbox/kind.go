package dropbox

import (
	"strings"

	"galbuild/publish/target"
)

// Kind returns the kind of target that is a folder of a Dropbox.
func Kind() target.Kind {
	return target.Kind{
		Name: "dropbox", Form: "dropbox:/PATH", Schemes: []string{"dropbox"},
		Flag: &target.Flag{Name: "dropbox", Placeholder: "/PATH", Help: "A Dropbox folder, with the token in DROPBOX_TOKEN."},
		Parse: func(_, rest string) target.Settings {
			return target.Settings{"path": "/" + strings.TrimLeft(rest, "/")}
		},
		Keys: []target.Key{
			{Name: "path", Aliases: []string{"prefix"}},
			{Name: "accessToken", Type: target.Secret},
			target.CA,
		},
		Open: fromSettings,
	}
}

func fromSettings(s target.Settings, e target.Env) (target.Target, error) {
	return target.Opened(New(Config{Path: s["path"], Token: s["accessToken"], CA: s["ca"], Transport: e.Transport}))
}
