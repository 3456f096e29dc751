package hub

// Bounds of the list of disabled ids, which the host chooses.
const (
	maxID       = 255      // bytes of an id
	maxRecord   = 10 << 10 // bytes of ids in a record; escaped they are up to six times as long, and 64 KiB fit
	maxDisabled = 100      // records
)

// records splits the disabled ids into lists that the cache takes, at least one and at most maxDisabled. Ids that can
// belong to nothing are left out.
func records(ids []string) [][]string {
	all, size := [][]string{{}}, 0
	for _, id := range ids {
		if len(id) > maxID {
			continue
		}
		if size += len(id) + len(`"",`); size > maxRecord {
			if len(all) == maxDisabled {
				break
			}
			all, size = append(all, []string{}), len(id)
		}
		all[len(all)-1] = append(all[len(all)-1], id)
	}
	return all
}
