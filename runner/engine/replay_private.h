/* What the files that read a journal share. */
#ifndef GRIDLANE_ENGINE_REPLAY_PRIVATE_H
#define GRIDLANE_ENGINE_REPLAY_PRIVATE_H

#include "runner/engine/journal.h"

/* record: of the event, with its clocks. */
void replay_note_reservation(struct replay *replay, const struct run_event *event, const json_t *record);
/* A selection has ended that took another device for its lane. */
void replay_begin_anew(struct replay *replay, const struct run_event *event);

#endif
