/* A minimal firmware: a network, a series in RAM, and the predicted class. Its size is measured. */
#include "net.h"

volatile int found;
static float series[NET_LENGTH * NET_CHANNELS], probabilities[NET_OUT_LENGTH * NET_OUTPUTS];

void _start(void);

void _start(void) {
    for (;;) {
        net_predict(series, probabilities);
        found = probabilities[0] < probabilities[1];
    }
}
