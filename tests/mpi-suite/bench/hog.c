/* A sequential program that computes until somebody ends it. No MPI. */
int main(void) {
    for (volatile unsigned long turns = 0;; turns++)
        ;
}
