package pages

import (
	"fmt"
	"hash/fnv"
	"strings"

	"galbuild/build/jsondoc"
)

// Statistic is what pages show of the use of an extension. It changes every night, so it is not in
// the page: the script loads the file of the extension, see [StatisticsPath].
type Statistic struct {
	Installs int64   `json:"installs,omitempty"`
	Rating   float64 `json:"rating,omitempty"` // average, from 1 to 5
	Ratings  int64   `json:"ratings,omitempty"`
}

// statisticsShards is the number of files with statistics.
const statisticsShards = 64

// StatisticsPath returns the path of the JSON object with the statistics of an extension and of
// others. Its keys are ids in lower case, its values objects such as {"installs":4711,"rating":4.6,
// "ratings":12}.
func StatisticsPath(id string) string { return "statistics/" + shard(id) + ".json" }

// shard returns the number of the file of an extension.
func shard(id string) string {
	h := fnv.New32a()
	h.Write([]byte(strings.ToLower(id)))
	return fmt.Sprintf("%02d", h.Sum32()%statisticsShards)
}

// Statistics returns all files with statistics by their paths, also those without any, because the
// script asks for them.
func Statistics(byID map[string]Statistic) map[string][]byte {
	shards := map[string]map[string]Statistic{}
	for i := range statisticsShards {
		shards[fmt.Sprintf("statistics/%02d.json", i)] = map[string]Statistic{}
	}
	for id, s := range byID {
		if s != (Statistic{}) {
			shards[StatisticsPath(id)][strings.ToLower(id)] = s
		}
	}
	files := make(map[string][]byte, len(shards))
	for path, shard := range shards {
		text, err := jsondoc.Line(shard)
		if err != nil {
			text = []byte("{}\n") // a rating is not a number
		}
		files[path] = text
	}
	return files
}
