namespace Weft.Agent.Host.Netlink;

/// <summary>Threads for work that blocks in the kernel. A few are kept for the next work: to make one costs more than most such work.</summary>
/// <remarks>Safe for concurrent use. There are as many threads as there is work at once; those beyond the number to keep end.</remarks>
/// <param name="name">The threads' name, for debuggers.</param>
/// <param name="kept">How many wait for more work.</param>
internal sealed class KeptThreads(string name, int kept)
{
    private readonly string _name = name;
    private const int StackBytes = 256 * 1024;
    private readonly Stack<Worker> _idle = new();

    /// <summary>Runs the work on a thread of its own.</summary>
    /// <param name="work">Returns its result, and whether the thread is fit for other work.</param>
    public Task<T> RunAsync<T>(Func<(T Result, bool Keep)> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Take().Post(() =>
        {
            try
            {
                var (result, keep) = work();
                done.SetResult(result);
                return keep;
            }
            catch (Exception e)
            {
                done.SetException(e);
                return false;
            }
        });
        return done.Task;
    }

    private Worker Take()
    {
        lock (_idle)
        {
            if (_idle.TryPop(out var worker))
            {
                return worker;
            }
        }

        return new Worker(this);
    }

    private bool TakeBack(Worker worker)
    {
        lock (_idle)
        {
            if (_idle.Count >= kept)
            {
                return false;
            }

            _idle.Push(worker);
            return true;
        }
    }

    private sealed class Worker
    {
        private readonly object _gate = new();
        private readonly KeptThreads _owner;
        private Func<bool>? _work;

        public Worker(KeptThreads owner)
        {
            _owner = owner;
            new Thread(Work, StackBytes) { IsBackground = true, Name = owner._name }.Start();
        }

        public void Post(Func<bool> work)
        {
            lock (_gate)
            {
                _work = work;
                Monitor.Pulse(_gate);
            }
        }

        private void Work()
        {
            while (Next()() && _owner.TakeBack(this))
            {
            }
        }

        private Func<bool> Next()
        {
            lock (_gate)
            {
                while (_work is null)
                {
                    Monitor.Wait(_gate);
                }

                var work = _work;
                _work = null;
                return work;
            }
        }
    }
}
