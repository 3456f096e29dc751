package hub

// maxDisabled bounds the list of disabled ids in the cache, in bytes. The cache takes 1 MiB for a value.
const maxDisabled = 512 << 10

// firstIDs returns as many of the sorted ids as fit into the cache.
func firstIDs(ids []string) []string {
	size := 0
	for i, id := range ids {
		if size += len(id) + len(`"",`); size > maxDisabled {
			return ids[:i]
		}
	}
	return ids
}
