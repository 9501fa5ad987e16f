package website

import "galbuild/publish/target"

// Kind returns the kind of target that is a site at an http(s) address.
func Kind() target.Kind {
	return target.Kind{
		Name: "website", Form: "https://HOST/PATH", Schemes: []string{"https", "http"}, ReadOnly: true,
		Parse: func(scheme, rest string) target.Settings { return target.Settings{"url": scheme + ":" + rest} },
		Keys:  []target.Key{{Name: "url", Required: true}, target.CA},
		Open: func(s target.Settings, e target.Env) (target.Target, error) {
			return target.Opened(New(fromSettings(s, e)))
		},
		OpenReader: func(s target.Settings, e target.Env) (target.Reader, error) {
			c := fromSettings(s, e)
			c.Once, c.Stall, c.Agent = e.Once, e.Stall, e.Agent
			return target.OpenedReader(New(c))
		},
	}
}

func fromSettings(s target.Settings, e target.Env) Config {
	return Config{URL: s["url"], CA: s["ca"], Transport: e.Transport}
}
