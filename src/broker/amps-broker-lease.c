/* SPDX-License-Identifier: MIT */
#include "amps-broker.h"

/**
 * amps_broker_has_leases:
 * @self: a broker
 *
 * Returns: whether its deliveries end by the clock, so that other consumers may have
 *   those of an epoch that has ended; else they are rather expected here again
 */
gboolean
amps_broker_has_leases (AmpsBroker *self)
{
  g_return_val_if_fail (AMPS_IS_BROKER (self), FALSE);

  return AMPS_BROKER_GET_CLASS (self)->check_lease != NULL;
}

/**
 * amps_broker_is_leased:
 * @self: a broker that has leases
 * @delivery: a delivery of its
 *
 * Looks at the clock, too, as the process may have been suspended until just now. That
 * can end the epoch.
 *
 * Returns: whether @delivery is still this consumer's, as far as is known
 */
gboolean
amps_broker_is_leased (AmpsBroker *self, const AmpsDelivery *delivery)
{
  g_return_val_if_fail (AMPS_IS_BROKER (self), FALSE);

  if (amps_broker_is_alive (self, delivery))
    AMPS_BROKER_GET_CLASS (self)->check_lease (self);
  return amps_broker_is_alive (self, delivery);
}
