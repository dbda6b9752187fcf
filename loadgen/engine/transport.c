#include "loadgen/engine/transport.h"

int transport_connect(const struct transport_setup *setup, uint32_t slot, bool *connected)
{
	uint32_t source = setup->first_source + slot;

	if (setup->source_count == 0)
		return net_connect(setup->address, 0, connected);
	return net_connect_from(&setup->sources[source % setup->source_count], setup->address, 0,
				connected);
}
