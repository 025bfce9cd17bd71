<?php
/**
 * Starts the carried engine: without a shell, with an environment and a folder of its own, and with a limit.
 *
 * Whatever the engine does, the request goes on: nothing is waited for longer than the limit, and nothing that it
 * says is trusted to be short or what was expected.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * One process.
 */
final class Engine_Process {

	/**
	 * In seconds: for `where`, for a pass, from SIGTERM to SIGKILL, and what a pass itself is told.
	 */
	const LIMITS = array(
		'look' => 10,
		'pass' => 50,
		'kill' => 5,
		'told' => 40,
	);

	/**
	 * In bytes: how much of what it says on stderr is kept, of its end; the longest line that it may say; and how much of
	 * what it answers to `where` is kept.
	 */
	const MOST_ERRORS    = 2000;
	const LONGEST_LINE   = 33554432;
	const LONGEST_ANSWER = 65536;

	/**
	 * Signals by number, as PHP may not know their names.
	 */
	const TERM = 15;
	const KILL = 9;

	/**
	 * Starts a program that nobody waits for.
	 */
	const DETACH = '"$@" </dev/null >/dev/null 2>&1 &';

	/**
	 * Ask it which files it uses.
	 *
	 * @return array See `run`.
	 */
	public static function look() {
		$out            = '';
		$outcome        = self::run(
			self::command( array( 'where', '--output', 'json' ) ),
			'/',
			self::limits()['look'],
			static function ( $line ) use ( &$out ) {
				$out = substr( $out . $line, 0, self::LONGEST_ANSWER );
				return '';
			}
		);
		$outcome['out'] = $out;
		return $outcome;
	}

	/**
	 * Make a pass, and answer what it asks meanwhile.
	 *
	 * @param array $where What `where` answered.
	 * @return array See `run`; besides, `end`: what the engine said last (null where it did not), and `noise`: the first
	 *               line that was not to be understood (null for none).
	 */
	public static function attached( array $where ) {
		$end       = null;
		$noise     = null;
		$limits    = self::limits();
		$arguments = array_merge( self::ledger( $where ), array( '--set', "run.pass_limit={$limits['told']}s", 'sync', '--attached' ) );
		$outcome   = self::run(
			self::command( $arguments ),
			self::folder( $where ),
			$limits['pass'],
			static function ( $line ) use ( &$end, &$noise ) {
				$said = json_decode( $line, true );
				if ( isset( $said['call'] ) && is_string( $said['call'] ) ) {
					$body = isset( $said['body'] ) && is_array( $said['body'] ) ? $said['body'] : array();
					return Channel::line( Channel::call( $said['call'], $body ) );
				}
				if ( isset( $said['end'] ) && is_array( $said['end'] ) ) {
					$end = $said['end'];
				} elseif ( null === $noise && '' !== trim( $line ) ) {
					$noise = substr( trim( $line ), 0, 200 );
				}
				return '';
			}
		);

		$outcome['end']   = $end;
		$outcome['noise'] = $noise;
		return $outcome;
	}

	/**
	 * Have a pass made that nobody waits for.
	 *
	 * @param array $where What `where` answered.
	 * @param int   $delay So many seconds from now.
	 */
	public static function detached( array $where, $delay ) {
		$arguments = array_merge( self::ledger( $where ), array( 'sync', '--no-wait' ), 0 < $delay ? array( '--delay', (string) $delay ) : array() );
		$command   = array_merge( array( '/bin/sh', '-c', self::DETACH, 'sh' ), self::command( $arguments ) );
		$nothing   = static function () {
			return '';
		};
		self::run( $command, self::folder( $where ), self::limits()['kill'], $nothing );
	}

	/**
	 * Run a program to its end, or to its limit.
	 *
	 * @param string[] $command The program and its arguments.
	 * @param string   $folder  Where it works.
	 * @param int      $limit   After so many seconds it is ended.
	 * @param callable $answer  Given a line that it said, what is said to it; empty for nothing.
	 * @return array `exit` (null where a signal ended it, or it did not start), `signal` (null for none), `errors` (the end of what
	 *               it said on stderr), `seconds`, `is_late` (whether the limit ended it) and `is_started`.
	 */
	private static function run( array $command, $folder, $limit, callable $answer ) {
		$begun   = microtime( true );
		$outcome = array(
			'exit'       => null,
			'signal'     => null,
			'errors'     => '',
			'seconds'    => 0,
			'is_late'    => false,
			'is_started' => false,
		);
		if ( array() !== Carried::lacking() ) {
			return $outcome;
		}
		$descriptors = array_fill( 0, 3, array( 'pipe', 'w' ) );

		$descriptors[0] = array( 'pipe', 'r' );
		error_clear_last();
		// phpcs:ignore -- This is the one place that starts a program: an array, so without a shell.
		$process = @proc_open( $command, $descriptors, $pipes, $folder, Engine_Environment::all() );
		if ( ! is_resource( $process ) ) {
			$error             = error_get_last();
			$outcome['errors'] = isset( $error['message'] ) ? $error['message'] : '';
			return $outcome;
		}
		$outcome['is_started'] = true;

		$kill = self::limits()['kill'];
		$ends = array(
			array( $begun + $limit, self::TERM ),
			array( $begun + $limit + $kill, self::KILL ),
			array( $begun + $limit + 2 * $kill, null ),
		);
		array_map(
			static function ( $pipe ) {
				stream_set_blocking( $pipe, false );
			},
			$pipes
		);
		$said    = '';
		$to_say  = '';
		$is_over = false;
		while ( true ) {
			$status  = $is_over ? $status : proc_get_status( $process );
			$was     = $is_over;
			$is_over = ! $status['running'];
			$to_say  = self::say( $pipes, $to_say );
			$heard   = self::hear( $pipes[1] );
			$said   .= $heard;

			$outcome['errors'] = substr( $outcome['errors'] . self::hear( $pipes[2] ), -self::MOST_ERRORS );
			if ( strlen( $said ) > self::LONGEST_LINE ) {
				$said = '';
				$ends = array( array( 0, self::KILL ), array( microtime( true ) + $kill, null ) );
			}
			while ( false !== strpos( $said, "\n" ) ) {
				list( $line, $said ) = explode( "\n", $said, 2 );
				$to_say             .= $answer( $line );
			}
			if ( $was && '' === $heard ) {
				break;
			}
			if ( ! $is_over && microtime( true ) >= $ends[0][0] ) {
				$outcome['is_late'] = true;

				$signal = array_shift( $ends )[1];
				if ( null === $signal ) {
					// It waits for a disk that does not answer: nobody can end it, and this request shall not wait too.
					break;
				}
				proc_terminate( $process, $signal );
			}
			self::wait( $pipes, '' !== $to_say, $is_over );
		}
		if ( '' !== $said ) {
			$answer( $said );
		}
		array_map( 'fclose', $pipes );
		if ( $is_over ) {
			proc_close( $process );
		}
		$outcome['signal']  = $status['signaled'] ? $status['termsig'] : null;
		$outcome['exit']    = $status['signaled'] ? null : $status['exitcode'];
		$outcome['seconds'] = microtime( true ) - $begun;
		return $outcome;
	}

	/**
	 * Say as much as it takes at the moment.
	 *
	 * @param resource[] $pipes To and from it.
	 * @param string     $text  What is to be said.
	 * @return string What is left of it.
	 */
	private static function say( array $pipes, $text ) {
		if ( '' === $text ) {
			return '';
		}
		// phpcs:ignore -- It may have ended, or closed its input: then nobody is left to tell.
		$taken = @fwrite( $pipes[0], $text );
		return false === $taken ? '' : (string) substr( $text, $taken );
	}

	/**
	 * Hear what it has said.
	 *
	 * @param resource $pipe From it.
	 * @return string Empty for nothing.
	 */
	private static function hear( $pipe ) {
		return feof( $pipe ) ? '' : (string) fread( $pipe, 1048576 );
	}

	/**
	 * Wait until something is to be done, for a moment at most, as the end of a process is not told.
	 *
	 * @param resource[] $pipes   To and from it.
	 * @param bool       $is_full Whether something is to be said.
	 * @param bool       $is_over Whether it has ended.
	 */
	private static function wait( array $pipes, $is_full, $is_over ) {
		$reads  = array_filter(
			array( $pipes[1], $pipes[2] ),
			static function ( $pipe ) {
				return ! feof( $pipe );
			}
		);
		$writes = $is_full ? array( $pipes[0] ) : array();
		$others = array();
		if ( $is_over ) {
			return;
		}
		if ( array() === $reads && array() === $writes ) {
			usleep( 20000 );
			return;
		}
		// phpcs:ignore -- A signal may interrupt it.
		@stream_select( $reads, $writes, $others, 0, 100000 );
	}

	/**
	 * The engine with its arguments.
	 *
	 * @param string[] $arguments What it is to do.
	 * @return string[]
	 */
	private static function command( array $arguments ) {
		return array_merge( array( Carried::program(), '--carried', '--wp-config', Carried::wp_config() ), $arguments );
	}

	/**
	 * Which ledger and settings it uses. Of several files of settings it finds its own.
	 *
	 * @param array $where What `where` answered.
	 * @return string[]
	 */
	private static function ledger( array $where ) {
		$config = 1 === count( $where['settings'] ) ? array( '--config', $where['settings'][0] ) : array();
		// Of several networks of an installation, the settings may name another: that one is not told as ours.
		$network = Networks::are_several() ? array( '--set', 'network.domain=' . get_network()->domain . get_network()->path ) : array();
		return array_merge( array( '--set', "ledger.url={$where['ledger_url']}" ), $config, $network );
	}

	/**
	 * Where it works: the folder of its ledger, which is made where it is missing.
	 *
	 * @param array $where What `where` answered.
	 * @return string
	 */
	private static function folder( array $where ) {
		$folder = dirname( $where['ledger'] );
		// phpcs:ignore -- A folder that PHP may not make, the engine makes.
		return @is_dir( $folder ) || @mkdir( $folder, 0700, true ) ? $folder : '/';
	}

	/**
	 * The limits.
	 *
	 * @return array
	 */
	private static function limits() {
		/**
		 * Filters how long the carried engine may take.
		 *
		 * @param int[] $limits In seconds, see `LIMITS`.
		 */
		return array_map( 'intval', array_merge( self::LIMITS, (array) apply_filters( 'closte_sync_limits', self::LIMITS ) ) );
	}
}
