package usage

import (
	"reflect"
	"time"

	"github.com/alecthomas/kong"

	"galbuild/build/units"
)

// Durations lets flags of the type [time.Duration] accept what [units.ParseDuration] does.
func Durations() kong.Option {
	return kong.TypeMapper(reflect.TypeFor[time.Duration](), kong.MapperFunc(decodeDuration))
}

func decodeDuration(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto("duration", &text); err != nil {
		return err
	}
	d, err := units.ParseDuration(text)
	target.SetInt(int64(d))
	return err
}
