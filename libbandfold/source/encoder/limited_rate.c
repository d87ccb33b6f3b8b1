/* Foresee the step, keep it near the one before, and code again what takes more than there is. */

#include "limited_rate.h"

#include "exact_math.h"

enum { MOST_CODINGS = 5, HALVINGS = 7, STEP_UNIT = 256 };

static const double LARGEST_MOVE = 0.5, LARGEST_FIRST_MOVE = 5.0, SAFE_SHARE = 0.97, LEAST_USED = 0.85;

/* The step at which a strip takes so many bytes, within some octaves of another one. */
static double foresee(const bfl_limited_rate *rate, const bfl_strip_task *task, double aim, double step,
                      double octaves)
{
    double low = bfl_log2_of(step) - octaves, high = bfl_log2_of(step) + octaves;
    for (int n = 0; n < HALVINGS; n++) {
        const double middle = (low + high) / 2;
        if (bfl_weigh_strip(task, bfl_exp2(middle)) * rate->ratio > aim)
            low = middle;
        else
            high = middle;
    }
    return bfl_exp2((low + high) / 2);
}

/* Take chunks from the end of a segment that takes more bytes than there are. */
static void cut(bfl_coded_segment *coded, double most)
{
    while (coded->count > 1 && (double)bfl_segment_size(coded) > most)
        coded->count--;
}

bandfold_status bfl_code_at_rate(bfl_workspace *workspace, bfl_limited_rate *rate, bfl_strip_task *task, double step,
                                 uint64_t overhead, uint32_t *code, bfl_coded_segment *coded)
{
    const bfl_block *mark = bfl_mark(workspace, BFL_SCRATCH);
    const double before = (double)overhead, aims = bfl_bucket_aim(&rate->bucket) - before;
    const double mosts = bfl_bucket_most(&rate->bucket) - before;
    const double aim = aims > 1.0 ? aims : 1.0, most = mosts > 1.0 ? mosts : 1.0;
    const int foreseen = rate->ratio > 0.0;
    uint32_t fits = 0;
    double safe = 1.0, size = 0.0;
    *code = bfl_step_code(foreseen ? foresee(rate, task, aim, step, LARGEST_MOVE) : step);
    for (int turn = 0; turn < MOST_CODINGS; turn++) {
        bfl_release(workspace, BFL_SCRATCH, mark);
        BFL_TRY(bfl_code_task(workspace, task, *code, coded));
        const double own = (double)*code / STEP_UNIT, weight = bfl_weigh_strip(task, own);
        size = (double)bfl_segment_size(coded);
        rate->ratio = weight > 0.0 ? size / weight : 0.0;
        if (size <= most && (fits == 0 || *code < fits))
            fits = *code;
        /* Only of the first strip nothing was foreseen, and it may take too little. */
        const int good = size <= most && (foreseen || size >= LEAST_USED * aim);
        if (good || rate->ratio == 0.0 || turn == MOST_CODINGS - 1)
            break;
        /* Half of what is saved is left for the strips behind: the next one may be as hard. */
        safe *= SAFE_SHARE;
        const double wanted = safe * (size > most ? (aim + most) / 2 : aim);
        const uint32_t following = bfl_step_code(foresee(rate, task, wanted, own, LARGEST_FIRST_MOVE));
        if (following == *code)
            break;
        *code = following;
    }
    if (size > most && fits) {
        /* The first strip was coded anew since it took too little, and takes too much. */
        bfl_release(workspace, BFL_SCRATCH, mark);
        *code = fits;
        BFL_TRY(bfl_code_task(workspace, task, *code, coded));
    }
    rate->step = (double)*code / STEP_UNIT;
    cut(coded, most);
    return BANDFOLD_OK;
}
